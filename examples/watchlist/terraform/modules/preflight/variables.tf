variable "rest_api_id" {
  description = "The REST API."
  type        = string
}

variable "resource_id" {
  description = "The resource that other sites' pages may use."
  type        = string
}

variable "http_methods" {
  description = "What they may do, such as GET."
  type        = list(string)
}
