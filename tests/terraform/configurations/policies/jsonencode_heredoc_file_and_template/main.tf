variable "account" {}
resource "aws_s3_bucket" "b" {}
resource "aws_iam_policy" "encoded" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:*"], Resource = "${aws_s3_bucket.b.arn}/*" },
      { Effect = "Allow", Action = "*", Resource = "*" },
    ]
  })
}
resource "aws_iam_policy" "heredoc" {
  policy = <<-POLICY
    {
      "Statement": [
        {"Effect": "Allow", "Action": "*",
         "Resource": "${aws_s3_bucket.b.arn}"},
        {"Effect": "Allow", "Action": "*", "Resource": "*"}
      ]
    }
  POLICY
}
resource "aws_iam_policy" "file" {
  policy = file("${path.module}/policy.json")
}
resource "aws_iam_policy" "template" {
  policy = templatefile("${path.module}/policy.tpl", { account = var.account, actions = ["a:b", "c:d"] })
}
