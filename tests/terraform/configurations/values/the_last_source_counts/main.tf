variable "v" { default = "default" }
variable "w" { default = "default" }
variable "x" { default = "default" }
variable "y" { default = "default" }
variable "z" { default = "default" }
resource "terraform_data" "r" {
  input = [var.v, var.w, var.x, var.y, var.z]
}
