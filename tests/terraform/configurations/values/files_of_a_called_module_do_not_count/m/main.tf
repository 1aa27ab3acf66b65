variable "v" { default = "default" }
resource "terraform_data" "r" {
  input = var.v
}
