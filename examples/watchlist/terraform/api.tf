locals {
  resources = {
    movies    = aws_api_gateway_resource.movies
    movie     = aws_api_gateway_resource.movie
    favorites = aws_api_gateway_resource.favorites
  }

  methods = {
    list_movies      = { resource = "movies", http_method = "GET" }
    search_movie     = { resource = "movie", http_method = "GET" }
    view_favorites   = { resource = "favorites", http_method = "GET" }
    add_to_favorites = { resource = "favorites", http_method = "POST" }
  }
}

resource "aws_api_gateway_rest_api" "store" {
  name        = "watchlist"
  description = "Films and favourites."
}

resource "aws_api_gateway_resource" "movies" {
  rest_api_id = aws_api_gateway_rest_api.store.id
  parent_id   = aws_api_gateway_rest_api.store.root_resource_id
  path_part   = "movies"
}

resource "aws_api_gateway_resource" "movie" {
  rest_api_id = aws_api_gateway_rest_api.store.id
  parent_id   = aws_api_gateway_resource.movies.id
  path_part   = "{id}"
}

resource "aws_api_gateway_resource" "favorites" {
  rest_api_id = aws_api_gateway_rest_api.store.id
  parent_id   = aws_api_gateway_rest_api.store.root_resource_id
  path_part   = "favorites"
}

module "method" {
  source   = "./modules/method"
  for_each = local.methods

  rest_api_id  = aws_api_gateway_rest_api.store.id
  resource_id  = local.resources[each.value.resource].id
  http_method  = each.value.http_method
  function_arn = module.function[each.key].arn
}

module "preflight" {
  source   = "./modules/preflight"
  for_each = local.resources

  rest_api_id  = aws_api_gateway_rest_api.store.id
  resource_id  = each.value.id
  http_methods = [for one in local.methods : one.http_method if one.resource == each.key]
}

resource "aws_api_gateway_deployment" "store" {
  rest_api_id = aws_api_gateway_rest_api.store.id

  triggers = {
    signature = sha256(jsonencode([
      [for one in module.method : one.signature],
      [for one in module.preflight : one.signature],
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A stage for each environment; its variable is the name of the alias that answers.
resource "aws_api_gateway_stage" "store" {
  for_each      = var.environments
  rest_api_id   = aws_api_gateway_rest_api.store.id
  deployment_id = aws_api_gateway_deployment.store.id
  stage_name    = each.key
  variables     = { environment = each.key }
}
