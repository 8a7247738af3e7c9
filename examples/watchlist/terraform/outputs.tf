output "rest_api" {
  description = "The API's id: `rest_api` in Slipway's operator file."
  value       = aws_api_gateway_rest_api.store.id
}

output "api_urls" {
  description = "The API's address for each environment: `api` in marketplace/environments."
  value       = { for name, stage in aws_api_gateway_stage.store : name => stage.invoke_url }
}

output "functions" {
  description = "The functions that Slipway deploys."
  value       = sort([for one in local.functions : one.name])
}

output "queue_url" {
  description = "The queue between loader and parser."
  value       = aws_sqs_queue.films.url
}

output "site_url" {
  description = "The site's address; each environment is a folder of it."
  value       = "http://${aws_s3_bucket_website_configuration.site.website_endpoint}/"
}
