"""The plain way: list the users, list each user's keys, print who has more than one active."""

import boto3

iam = boto3.client("iam")
for page in iam.get_paginator("list_users").paginate():
    for user in page["Users"]:
        keys = iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
        if sum(key["Status"] == "Active" for key in keys) > 1:
            print(user["UserName"])
