resource "aws_s3_bucket" "b" {
  for_each = ["a", "b"]
  acl      = "public-read"
  bucket   = each.key
}
resource "aws_s3_bucket" "numbers" {
  for_each = toset([1, 2])
  bucket   = each.key
}
