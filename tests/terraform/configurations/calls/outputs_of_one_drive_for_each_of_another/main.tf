module "zones" {
  source = "./zones"
  names  = ["b", "a"]
}
module "zone" {
  for_each = module.zones.by_name
  source   = "./zone"
  name     = each.key
  size     = each.value.size
}
resource "terraform_data" "r" {
  for_each = toset(module.zones.names)
  input    = module.zone[each.value].label
}
