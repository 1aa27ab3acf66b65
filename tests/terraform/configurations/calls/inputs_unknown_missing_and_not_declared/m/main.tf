variable "given" {}
variable "needed" {}
resource "aws_s3_bucket" "b" {
  given  = "x-${var.given}"
  needed = var.needed
  odd    = var.nowhere
}
