{"Statement": [{"Action": "s3:*", "Resource": "arn:aws:s3:::${bucket}/*"}]}
