variable "secret" {
  sensitive = true
  default   = "s3cr3t-value"
}
variable "open" { default = "open" }
locals {
  map = { db = var.secret, plain = var.open }
}
module "m" {
  source = "./m"
  given  = local.map.db
}
resource "aws_thing" "t" {
  a = var.secret
  b = "x-${local.map.db}"
  c = module.m.hidden
  d = module.m.shown
  e = nonsensitive(var.secret)
  f = sensitive("word")
  g = var.open
  h = jsonencode({ password = var.secret })
  i = [for v in [var.secret] : upper(v)]
  j = issensitive(var.secret)
}
