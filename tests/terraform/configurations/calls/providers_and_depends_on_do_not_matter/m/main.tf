terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      configuration_aliases = [aws.other]
    }
  }
}
resource "aws_s3_bucket" "b" {
  provider   = aws.other
  depends_on = [aws_s3_bucket.c]
  acl        = "private"
}
resource "aws_s3_bucket" "c" {}
