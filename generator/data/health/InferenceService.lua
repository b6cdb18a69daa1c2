-- Argo CD's own rule has a model that cannot start Progressing for ever, and so one that Knative scaled to
-- zero. Argo CD gives a rule no string library; times in RFC 3339 compare as text.
local os = require("os")

-- KServe gives every Deployment ten minutes to make progress.
local patience = 600
-- What turns the time of this machine into UTC.
local zone = os.time(os.date("!*t")) - os.time()
local deadline = os.date("%Y-%m-%dT%H:%M:%SZ", os.time() + zone - patience)

local function because(condition)
  local text = condition.type .. " is " .. condition.status
  for _, field in ipairs({"reason", "message"}) do
    if condition[field] ~= nil and condition[field] ~= "" then
      text = text .. ": " .. condition[field]
    end
  end
  return text
end

if obj.status == nil or obj.status.conditions == nil then
  return {status = "Progressing", message = "KServe's controller has not looked at it yet"}
end

local ready, late
local waiting = {}
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Stopped" then
    if condition.status == "True" then
      return {status = "Suspended", message = "stopped"}
    end
  elseif condition.type == "Ready" then
    ready = condition.status == "True"
  elseif condition.status ~= "True" then
    table.insert(waiting, because(condition))
    local since = condition.lastTransitionTime
    if condition.status == "False" and since ~= nil and since < deadline then
      late = true
    end
  end
end
local reasons = table.concat(waiting, "; ")

local model = obj.status.modelStatus or {}
local transition = model.transitionStatus
if transition == "BlockedByFailedLoad" or transition == "InvalidSpec" then
  local failure = model.lastFailureInfo or {}
  local message = failure.message or ""
  if message == "" then
    message = failure.reason or reasons
  end
  return {status = "Degraded", message = transition .. ": " .. message}
end
if ready then
  local copies = model.copies or {}
  if transition == "InProgress" and (copies.totalCopies or 0) > 0 then
    return {status = "Progressing", message = "the former pods serve while new ones start"}
  end
  return {status = "Healthy", message = "Ready"}
end
if late then
  return {status = "Degraded", message = "not within ten minutes: " .. reasons}
end
return {status = "Progressing", message = reasons}
