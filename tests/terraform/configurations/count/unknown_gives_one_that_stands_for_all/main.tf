variable "n" { type = number }
resource "aws_s3_bucket" "b" {
  count  = var.n
  bucket = "data-${count.index}"
  acl    = "public-read"
}
resource "aws_s3_bucket_policy" "p" {
  bucket = aws_s3_bucket.b[0].id
}
