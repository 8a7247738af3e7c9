locals {
  favorites = [for table in aws_dynamodb_table.favorites : table.arn]

  # Of each function: how it runs, and all that it may do.
  functions = {
    loader = {
      name      = "MoviesLoader"
      runtime   = "python3.11"
      handler   = "index.lambda_handler"
      timeout   = 30
      variables = { SQS_URL = aws_sqs_queue.films.url }
      allowed   = { "sqs:SendMessage" = [aws_sqs_queue.films.arn] }
    }

    parser = {
      name    = "MoviesParser"
      runtime = "provided.al2023"
      handler = "bootstrap"
      timeout = local.parser_timeout
      variables = {
        PAGES_URL  = var.pages_url
        TABLE_NAME = aws_dynamodb_table.movies.name
      }
      allowed = {
        "dynamodb:PutItem"       = [aws_dynamodb_table.movies.arn]
        "sqs:DeleteMessage"      = [aws_sqs_queue.films.arn]
        "sqs:GetQueueAttributes" = [aws_sqs_queue.films.arn]
        "sqs:ReceiveMessage"     = [aws_sqs_queue.films.arn]
      }
    }

    list_movies = {
      name      = "MoviesStoreListMovies"
      runtime   = "nodejs22.x"
      handler   = "src/movies/findAll/index.handler"
      timeout   = 10
      variables = { MOVIES_TABLE = aws_dynamodb_table.movies.name }
      allowed   = { "dynamodb:Scan" = [aws_dynamodb_table.movies.arn] }
    }

    search_movie = {
      name      = "MoviesStoreSearchMovie"
      runtime   = "nodejs22.x"
      handler   = "src/movies/findOne/index.handler"
      timeout   = 10
      variables = { MOVIES_TABLE = aws_dynamodb_table.movies.name }
      allowed   = { "dynamodb:GetItem" = [aws_dynamodb_table.movies.arn] }
    }

    view_favorites = {
      name      = "MoviesStoreViewFavorites"
      runtime   = "nodejs22.x"
      handler   = "src/favorites/findAll/index.handler"
      timeout   = 10
      variables = { FAVORITES_TABLE = "favorites" }
      allowed   = { "dynamodb:Scan" = local.favorites }
    }

    add_to_favorites = {
      name    = "MoviesStoreAddToFavorites"
      runtime = "nodejs22.x"
      handler = "src/favorites/insert/index.handler"
      timeout = 10
      variables = {
        MOVIES_TABLE    = aws_dynamodb_table.movies.name
        FAVORITES_TABLE = "favorites"
      }
      allowed = {
        "dynamodb:GetItem" = [aws_dynamodb_table.movies.arn]
        "dynamodb:PutItem" = local.favorites
      }
    }
  }
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name      = each.value.name
  runtime   = each.value.runtime
  handler   = each.value.handler
  timeout   = each.value.timeout
  variables = each.value.variables
  allowed   = each.value.allowed
  aliases   = var.environments

  placeholder = {
    bucket = aws_s3_object.placeholder.bucket
    key    = aws_s3_object.placeholder.key
  }
}
