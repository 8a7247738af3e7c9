variable "name" {
  description = "The function's name, as in slipway.toml."
  type        = string
}

variable "runtime" {
  description = "Lambda's runtime, as in slipway.toml."
  type        = string
}

variable "handler" {
  description = "The entry point, as in slipway.toml."
  type        = string
}

variable "timeout" {
  description = "How long one call may take, in seconds."
  type        = number
}

variable "memory" {
  description = "Memory in MB."
  type        = number
  default     = 256
}

variable "variables" {
  description = "Environment variables, the same for all aliases."
  type        = map(string)
}

variable "allowed" {
  description = "What the function may do beside writing its log: actions, each with the ARNs of its resources."
  type        = map(list(string))
}

variable "aliases" {
  description = "Names of the aliases, one for each environment."
  type        = set(string)
}

variable "placeholder" {
  description = "The package until the first deployment."
  type = object({
    bucket = string
    key    = string
  })
}
