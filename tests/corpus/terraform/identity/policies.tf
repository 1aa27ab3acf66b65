resource "aws_iam_policy" "deploy" {
  name = "deploy"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = "*"
        },
      ],
      [
        for service in ["web", "worker"] : {
          Effect   = "Allow"
          Action   = ["ecs:UpdateService"]
          Resource = "arn:aws:ecs:*:123456789012:service/main/${service}"
        }
      ],
    )
  })
}

resource "aws_iam_user_policy" "break_glass" {
  name = "break-glass"
  user = "root-of-trust"

  policy = <<-EOT
    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}
      ]
    }
  EOT
}

resource "aws_iam_role" "github" {
  name = "github"
  assume_role_policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Condition = {
        StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
      }
    }]
  })
}
