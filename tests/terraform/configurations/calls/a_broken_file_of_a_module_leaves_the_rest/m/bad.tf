resource "aws_s3_bucket" "whole" { acl = "private" }
output "bad" {
  value = [1, 2
