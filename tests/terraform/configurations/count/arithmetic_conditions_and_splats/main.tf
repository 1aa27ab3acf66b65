variable "create" { default = true }
variable "names" { default = ["a", "b", "c"] }
locals {
  n = var.create && length(var.names) > 2 ? length(var.names) - 1 : 0
}
resource "terraform_data" "many" {
  count = local.n
  input = "${var.names[count.index]}-${count.index * 10}"
}
resource "terraform_data" "none" {
  count = var.create ? 0 : 1
}
resource "terraform_data" "r" {
  input = {
    all    = terraform_data.many[*].input
    legacy = terraform_data.many.*.input
    last   = element(terraform_data.many[*].input, 5)
    none   = terraform_data.none[*].input
    one    = one(terraform_data.none[*].input)
    tried  = try(terraform_data.none[0].input, "fallback")
    many   = length(terraform_data.many)
  }
}
