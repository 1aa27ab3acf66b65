variable "bucket" {}
resource "aws_s3_bucket_policy" "p" {
  bucket = var.bucket
}
output "bucket" { value = aws_s3_bucket_policy.p.bucket }
