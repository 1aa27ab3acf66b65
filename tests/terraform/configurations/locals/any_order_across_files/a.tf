locals {
  first = "${local.second}-1"
}
resource "terraform_data" "r" {
  input = local.first
}
