locals {
  second = join("-", [local.third, local.parts.name])
  parts  = { name = upper(local.third) }
}
