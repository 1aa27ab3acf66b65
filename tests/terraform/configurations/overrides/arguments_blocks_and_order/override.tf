variable "v" { default = "override" }
resource "aws_instance" "i" {
  twice = "override"
  disk {
    size = 9
  }
  lifecycle {
    create_before_destroy = true
  }
}
