variable "names" { type = set(string) }
resource "aws_s3_bucket" "b" {
  for_each = var.names
  bucket   = each.value
  acl      = "public-read"
}
resource "aws_s3_bucket" "c" {
  for_each = toset(concat(["known"], tolist(var.names)))
  bucket   = each.value
  acl      = each.value == "known" ? "public-read" : "private"
}
