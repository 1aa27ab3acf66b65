locals {
  fine = "x"
  a    = local.b
  b    = "${local.c}!"
  c    = [local.a]
  self = local.self
}
resource "aws_s3_bucket" "b" {
  one   = local.fine
  two   = local.a
  three = [local.fine, local.c]
  four  = local.self
}
