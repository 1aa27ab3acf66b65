# The old marketing site. Public on purpose; moves behind the CDN with WEB-88.
resource "aws_s3_bucket" "website" {
  bucket = "www.acme.example"
}

resource "aws_s3_bucket_acl" "website" {
  bucket = aws_s3_bucket.website.id
  acl    = "public-read" # policy-engine: ignore[storage-acl-not-public] public web pages, nothing else is kept here
}

resource "aws_s3_bucket_website_configuration" "website" {
  bucket = aws_s3_bucket.website.id

  index_document {
    suffix = "index.html"
  }

  routing_rules = <<-EOF
    [{
      "Condition": {"KeyPrefixEquals": "docs/"},
      "Redirect": {"ReplaceKeyPrefixWith": "documents/"}
    }]
  EOF
}
