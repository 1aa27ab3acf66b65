variable "v" { default = "default" }
variable "w" { default = "default" }
resource "terraform_data" "r" {
  input = [var.v, var.w]
}
