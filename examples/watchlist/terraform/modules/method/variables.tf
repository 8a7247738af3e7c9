variable "rest_api_id" {
  description = "The REST API."
  type        = string
}

variable "resource_id" {
  description = "The resource that has the method."
  type        = string
}

variable "http_method" {
  description = "GET, POST …"
  type        = string
}

variable "function_arn" {
  description = "The function that answers, without version or alias."
  type        = string
}
