output "good" { value = "x" }
resource "aws_s3_bucket" "good" { acl = "private" }
