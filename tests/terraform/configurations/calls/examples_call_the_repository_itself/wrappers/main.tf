variable "items" {
  default = { a = {}, b = { acl = "public-read" } }
}
variable "defaults" {
  default = {}
}
module "wrapper" {
  for_each = var.items
  source   = "../"
  acl      = try(each.value.acl, var.defaults.acl, "private")
}
