module "role" {
  source = "./role"
  policy = data.aws_iam_policy_document.admin.json
}
data "aws_iam_policy_document" "admin" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
}
