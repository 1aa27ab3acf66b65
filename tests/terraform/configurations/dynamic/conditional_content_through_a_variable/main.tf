variable "logging" {
  type    = object({ bucket = string, prefix = optional(string, "log/") })
  default = null
}
variable "encryption" {
  type    = object({ key = string })
  default = { key = "alias/x" }
}
resource "aws_s3_bucket" "b" {
  dynamic "logging" {
    for_each = var.logging[*]
    content {
      target_bucket = logging.value.bucket
    }
  }
  dynamic "encryption" {
    for_each = var.encryption == null ? [] : [var.encryption]
    content {
      key = encryption.value.key
    }
  }
}
