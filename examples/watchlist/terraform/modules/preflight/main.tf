# Browsers ask with OPTIONS whether a page of another site may send JSON; the API answers by itself.
locals {
  headers = {
    "Access-Control-Allow-Headers" = "content-type"
    "Access-Control-Allow-Methods" = join(",", var.http_methods)
    "Access-Control-Allow-Origin"  = "*"
  }
}

resource "aws_api_gateway_method" "this" {
  rest_api_id   = var.rest_api_id
  resource_id   = var.resource_id
  http_method   = "OPTIONS"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "this" {
  rest_api_id       = var.rest_api_id
  resource_id       = var.resource_id
  http_method       = aws_api_gateway_method.this.http_method
  type              = "MOCK"
  request_templates = { "application/json" = jsonencode({ statusCode = 204 }) }
}

resource "aws_api_gateway_method_response" "this" {
  rest_api_id         = var.rest_api_id
  resource_id         = var.resource_id
  http_method         = aws_api_gateway_method.this.http_method
  status_code         = "204"
  response_parameters = { for name in keys(local.headers) : "method.response.header.${name}" => true }
}

resource "aws_api_gateway_integration_response" "this" {
  rest_api_id         = var.rest_api_id
  resource_id         = var.resource_id
  http_method         = aws_api_gateway_integration.this.http_method
  status_code         = aws_api_gateway_method_response.this.status_code
  response_parameters = { for name, text in local.headers : "method.response.header.${name}" => "'${text}'" }
}
