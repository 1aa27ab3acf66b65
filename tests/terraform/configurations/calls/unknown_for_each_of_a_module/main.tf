variable "regions" { type = set(string) }
module "m" {
  for_each = var.regions
  source   = "./m"
  region   = each.value
}
output "ids" {
  value = [for one in module.m : one.fixed]
}
