variable "environment" {
  type    = string
  default = "staging"
  validation {
    condition     = contains(["production"], var.environment)
    error_message = "Only production."
  }
}
resource "aws_s3_bucket" "b" {
  bucket = "data-${var.environment}"
}
