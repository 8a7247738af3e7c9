# The book's deploy steps: release.sh AWS PACKAGE BUCKET COMMIT ALIAS FUNCTION...
set -eu
aws=$1 package=$2 bucket=$3 commit=$4 alias=$5
shift 5
for function in "$@"; do
  "$aws" s3 cp --only-show-errors "$package" "s3://$bucket/$function/$commit.zip"
  "$aws" lambda update-function-code --function-name "$function" \
    --s3-bucket "$bucket" --s3-key "$function/$commit.zip"
  version=$("$aws" lambda publish-version --function-name "$function" \
    --description "$commit" --query Version --output text)
  "$aws" lambda update-alias --function-name "$function" --name "$alias" \
    --function-version "$version"
done
