variable "open" { default = true }
resource "aws_subnet" "s" {
  map_public_ip_on_launch = var.open
}
output "made" { value = "made" }
