locals {
  parser_timeout = 60 # seconds
  attempts       = 5
}

resource "aws_sqs_queue" "films" {
  name = "movies"
  # AWS asks for six times the timeout of the function that takes from it.
  visibility_timeout_seconds = 6 * local.parser_timeout

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.failed.arn
    maxReceiveCount     = local.attempts
  })
}

resource "aws_sqs_queue" "failed" {
  name                      = "movies-failed"
  message_retention_seconds = 14 * 24 * 60 * 60
}

# On the alias, so that films are read by what was released and never by $LATEST.
resource "aws_lambda_event_source_mapping" "films" {
  event_source_arn        = aws_sqs_queue.films.arn
  function_name           = module.function["parser"].alias_arns[var.live]
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
}
