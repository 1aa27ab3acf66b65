variable "name" {}
variable "id" {}
resource "terraform_data" "this" {
  input            = { name = var.name, of = var.id }
  triggers_replace = [var.name]
}
