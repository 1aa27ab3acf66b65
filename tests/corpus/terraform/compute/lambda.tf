resource "aws_lambda_function" "thumbnails" {
  function_name    = "thumbnails"
  filename         = "${path.module}/build/thumbnails.zip"
  source_code_hash = fileexists("${path.module}/build/thumbnails.zip") ? filebase64sha256("${path.module}/build/thumbnails.zip") : null
  handler          = "index.handler"
  runtime          = "nodejs22.x"
  role             = aws_iam_role.thumbnails.arn
  timeout          = 30

  environment {
    variables = {
      BUCKET   = "acme-uploads"
      SIZES    = jsonencode([64, 256, 1024])
      API_KEY  = "not-a-real-key-1234"
      LOG_MODE = upper("json")
    }
  }

  tracing_config {
    mode = "Active"
  }
}

resource "aws_iam_role" "thumbnails" {
  name               = "thumbnails"
  assume_role_policy = <<POLICY
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"Service": "lambda.amazonaws.com"},
      "Action": "sts:AssumeRole"
    }
  ]
}
POLICY
}
