variable "name" {}
variable "size" {}
output "label" { value = "${var.name}:${var.size}" }
resource "terraform_data" "z" {
  input = [var.name, var.size]
}
