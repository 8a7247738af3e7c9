resource "aws_s3_bucket" "packages" {
  bucket = var.packages_bucket
}

resource "aws_s3_bucket_public_access_block" "packages" {
  bucket                  = aws_s3_bucket.packages.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# What a function holds until Slipway deploys it for the first time: a zip with one line of text.
resource "aws_s3_object" "placeholder" {
  bucket         = aws_s3_bucket.packages.id
  key            = "placeholder.zip"
  content_base64 = "UEsDBBQAAAAAAAAAIQBQGo7fFQAAABUAAAAPAAAAcGxhY2Vob2xkZXIudHh0bm90aGluZyBkZXBsb3llZCB5ZXQKUEsBAhQDFAAAAAAAAAAhAFAajt8VAAAAFQAAAA8AAAAAAAAAAAAAAIABAAAAAHBsYWNlaG9sZGVyLnR4dFBLBQYAAAAAAQABAD0AAABCAAAAAAA="
  content_type   = "application/zip"
}

resource "aws_s3_bucket" "site" {
  bucket = var.site_bucket
}

resource "aws_s3_bucket_website_configuration" "site" {
  bucket = aws_s3_bucket.site.id

  index_document {
    suffix = "index.html"
  }
}

# A site is for everybody; ACLs stay closed, the policy below says what may be read.
resource "aws_s3_bucket_public_access_block" "site" {
  bucket                  = aws_s3_bucket.site.id
  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
  restrict_public_buckets = false
}

data "aws_iam_policy_document" "site" {
  statement {
    actions   = ["s3:GetObject"]
    resources = [for name in sort(var.environments) : "${aws_s3_bucket.site.arn}/${name}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

resource "aws_s3_bucket_policy" "site" {
  bucket     = aws_s3_bucket.site.id
  policy     = data.aws_iam_policy_document.site.json
  depends_on = [aws_s3_bucket_public_access_block.site]
}
