resource "aws_s3_bucket" "half" {
  count = 1.5
  acl   = "private"
}
resource "aws_s3_bucket" "negative" {
  count = -1
}
resource "aws_s3_bucket" "none" {
  count = null
}
resource "aws_s3_bucket" "text" {
  count = "2"
}
