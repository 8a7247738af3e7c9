output "signature" {
  description = "Changes when the method does: the API needs a new deployment then."
  value = sha256(jsonencode([
    aws_api_gateway_method.this.authorization,
    aws_api_gateway_integration.this.http_method,
    aws_api_gateway_integration.this.resource_id,
    aws_api_gateway_integration.this.uri,
  ]))
}
