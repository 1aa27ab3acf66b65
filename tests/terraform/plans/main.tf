variable "acl" {}
variable "secret" {
  sensitive = true
  default   = "hunter2"
}
locals {
  sizes = { small = 1, large = 8 }
}
resource "terraform_data" "first" {
  input = { acl = var.acl, open = true }
}
resource "terraform_data" "linked" {
  for_each = local.sizes
  input    = { size = each.value, other = terraform_data.first.id, token = var.secret }
}
module "inner" {
  count  = 2
  source = "./mod"
  name   = "n${count.index}"
  id     = terraform_data.first.id
}
