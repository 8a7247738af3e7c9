output "arn" {
  description = "The function's ARN, without version or alias."
  value       = aws_lambda_function.this.arn
}

output "alias_arns" {
  description = "The ARN of each alias, by its name."
  value       = { for name, alias in aws_lambda_alias.this : name => alias.arn }
}
