variable "name" {}
variable "open" {}
module "stage" {
  for_each = toset(["dev", "prod"])
  source   = "../bucket"
  name     = "${var.name}-${each.value}"
  acl      = var.open ? "public-read" : "private"
}
