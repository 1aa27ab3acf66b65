variable "more" { default = true }
data "aws_iam_policy_document" "base" {
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = ["*"]
  }
  statement {
    actions   = ["s3:PutObject"]
    resources = ["arn:aws:s3:::a/*"]
  }
}
data "aws_iam_policy_document" "p" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  statement {
    sid    = "Deny"
    effect = "Deny"
    not_actions = ["iam:*"]
    not_resources = ["a", "b"]
    principals {
      type        = "AWS"
      identifiers = ["1", "2"]
    }
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
  dynamic "statement" {
    for_each = var.more ? ["*"] : []
    content {
      actions   = ["*"]
      resources = [statement.value]
      principals {
        type        = "*"
        identifiers = ["*"]
      }
    }
  }
  override_policy_documents = [jsonencode({
    Statement = [{ Sid = "Read", Effect = "Deny", Action = "s3:*", Resource = "*" }]
  })]
}
resource "aws_iam_policy" "r" {
  policy = data.aws_iam_policy_document.p.json
}
