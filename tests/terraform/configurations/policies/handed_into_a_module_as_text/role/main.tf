variable "policy" { type = string }
resource "aws_iam_policy" "p" {
  policy = var.policy
}
