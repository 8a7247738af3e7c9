data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "allowed" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  dynamic "statement" {
    for_each = var.allowed

    content {
      actions   = [statement.key]
      resources = statement.value
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "watchlist-${var.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  name   = "allowed"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.allowed.json
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = 30
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  role          = aws_iam_role.this.arn
  runtime       = var.runtime
  handler       = var.handler
  timeout       = var.timeout
  memory_size   = var.memory
  s3_bucket     = var.placeholder.bucket
  s3_key        = var.placeholder.key
  # The first version, for the aliases to point to: one at $LATEST would run whatever any branch
  # deployed last.
  publish = true

  environment {
    variables = var.variables
  }

  lifecycle {
    # The code is Slipway's.
    ignore_changes = [s3_bucket, s3_key, s3_object_version, source_code_hash]
  }

  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}

resource "aws_lambda_alias" "this" {
  for_each         = var.aliases
  name             = each.key
  function_name    = aws_lambda_function.this.function_name
  function_version = "1"

  lifecycle {
    # Where an alias points is Slipway's.
    ignore_changes = [function_version, routing_config, description]
  }
}
