# The same films in every environment: there is one queue and one parser that fills the table.
resource "aws_dynamodb_table" "movies" {
  name         = "movies"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

# What people write never mixes.
resource "aws_dynamodb_table" "favorites" {
  for_each     = var.environments
  name         = "favorites-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}
