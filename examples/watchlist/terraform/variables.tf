variable "region" {
  description = "Where everything lives."
  type        = string
  default     = "eu-west-3"
}

variable "environments" {
  description = "The environments of Slipway's operator file: an alias of each function, a stage of the API and a table of favourites for each."
  type        = set(string)
  default     = ["sandbox", "staging", "production"]
}

variable "live" {
  description = "The environment whose alias takes films from the queue."
  type        = string
  default     = "production"
}

variable "packages_bucket" {
  description = "Bucket into which Slipway puts packages: `bucket` in its operator file."
  type        = string
  default     = "deployment-packages-watchlist"
}

variable "site_bucket" {
  description = "Bucket of the site: `sites` in Slipway's operator file."
  type        = string
  default     = "marketplace.example.com"
}

variable "pages_url" {
  description = "Address of a film's page; `{id}` stands for the film."
  type        = string
  default     = "https://www.imdb.com/title/{id}/"
}
