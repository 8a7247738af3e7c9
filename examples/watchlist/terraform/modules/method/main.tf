data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  service = "arn:${data.aws_partition.current.partition}:apigateway:${data.aws_region.current.name}:lambda"
  # The stage's variable chooses the alias, so that one deployment of the API serves them all. Leave
  # to invoke an alias is given by Slipway, before the alias first moves.
  alias = "${var.function_arn}:$${stageVariables.environment}"
}

resource "aws_api_gateway_method" "this" {
  rest_api_id   = var.rest_api_id
  resource_id   = var.resource_id
  http_method   = var.http_method
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "this" {
  rest_api_id             = var.rest_api_id
  resource_id             = var.resource_id
  http_method             = aws_api_gateway_method.this.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = "${local.service}:path/2015-03-31/functions/${local.alias}/invocations"
}
