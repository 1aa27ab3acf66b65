locals {
  teams = { red = { open = true } }
}
module "team" {
  for_each = local.teams
  source   = "./team"
  name     = each.key
  open     = each.value.open
}
