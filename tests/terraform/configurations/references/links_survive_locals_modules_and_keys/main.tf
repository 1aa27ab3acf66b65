resource "aws_s3_bucket" "b" {
  for_each = toset(["logs", "data"])
  bucket   = "x-${each.key}"
}
locals {
  ids  = { for key, one in aws_s3_bucket.b : key => one.id }
  arns = [for one in aws_s3_bucket.b : one.arn]
}
module "policy" {
  for_each = aws_s3_bucket.b
  source   = "./policy"
  bucket   = each.value.id
}
resource "aws_s3_bucket_versioning" "v" {
  bucket = local.ids["logs"]
}
resource "aws_thing" "t" {
  first = local.arns[0]
  all   = join(",", local.arns)
  text  = "${aws_s3_bucket.b["data"].arn}/*"
  named = aws_s3_bucket.b["data"].bucket
  out   = module.policy["logs"].bucket
}
