output "signature" {
  description = "Changes when the answer does: the API needs a new deployment then."
  value = sha256(jsonencode([
    aws_api_gateway_method.this.authorization,
    aws_api_gateway_method_response.this.response_parameters,
    aws_api_gateway_integration.this.request_templates,
    aws_api_gateway_integration_response.this.resource_id,
    aws_api_gateway_integration_response.this.response_parameters,
  ]))
}
