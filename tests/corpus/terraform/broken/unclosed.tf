resource "aws_s3_bucket" "a" {
  bucket = "a"

resource "aws_ebs_volume" "b" {
  encrypted = false
}
