;;; driver.el --- What the tests do in Emacs  -*- lexical-binding: t -*-

;; Loaded by emacs.py behind the configuration of docs/editors/emacs.md. Each function is called
;; from outside through emacsclient, while Emacs itself runs in a terminal as it does for a person:
;; with redisplay, timers and a command loop.

(require 'cl-lib)
(require 'eglot)
(require 'flymake)
(require 'imenu)
(require 'json)

(defmacro cw-reply (file &rest body)
  "Run BODY in the buffer that is shown; write its value or the error's words to FILE as JSON.
Not printed: emacsclient cuts long answers into pieces, and does not always join them."
  (declare (indent 1))
  `(with-current-buffer (window-buffer (selected-window))
     (let ((answer (condition-case oops
                       (list (cons 'value (progn ,@body)))
                     (error (list (cons 'error (error-message-string oops))))))
           (coding-system-for-write 'utf-8-unix))
       (write-region (json-encode answer) nil ,file nil 'quietly))))

(defun cw-go (needle inside)
  "Move to NEEDLE, INSIDE characters into it."
  (goto-char (point-min))
  (search-forward needle)
  (goto-char (+ (match-beginning 0) inside))
  (set-window-point (selected-window) (point)))

(defun cw-replace (old new)
  "Make the first OLD a NEW."
  (goto-char (point-min))
  (search-forward old)
  (replace-match new t t))

(defun cw-findings ()
  "The findings in the buffer: code, message, the text under each, and its columns as told."
  (vconcat
   (mapcar (lambda (found)
             (let* ((told (alist-get 'eglot-lsp-diag (flymake-diagnostic-data found)))
                    (range (plist-get told :range)))
               (vector (plist-get told :code)
                       (flymake-diagnostic-text found)
                       (buffer-substring-no-properties (flymake-diagnostic-beg found)
                                                       (flymake-diagnostic-end found))
                       (plist-get (plist-get range :start) :character)
                       (plist-get (plist-get range :end) :character))))
           (flymake-diagnostics))))

(defun cw-hints ()
  "The texts of the hints that are shown."
  (vconcat
   (cl-loop for one in (overlays-in (point-min) (point-max))
            when (overlay-get one 'eglot--inlay-hint)
            collect (substring-no-properties
                     (or (overlay-get one 'before-string) (overlay-get one 'after-string))))))

(defvar cw-hovered nil "What was shown about a place.")

(defun cw-ask-hover ()
  "Have eglot tell ElDoc about the place of point."
  (setq cw-hovered nil)
  (eglot-hover-eldoc-function
   (lambda (text &rest _) (setq cw-hovered (and text (substring-no-properties text))))))

(defun cw-actions (&optional wanted)
  "The titles that `eglot-code-actions' offers at point; one that begins with WANTED is done."
  (let* (offered
         (last-nonmenu-event ?x)        ; as if called with a key, so the minibuffer asks
         (completing-read-function
          (lambda (_prompt titles &rest _)
            (setq offered (all-completions "" titles))
            (or (and wanted
                     (cl-find-if (lambda (title) (string-prefix-p wanted title)) offered))
                (throw 'cw-listed nil)))))
    (catch 'cw-listed (call-interactively #'eglot-code-actions))
    (vconcat offered)))

(defun cw-outline ()
  "The names in the index, those of inner entries too."
  (let (names)
    (cl-labels ((walk (entry)
                  (cond ((stringp entry) (push (substring-no-properties entry) names))
                        ((consp entry) (walk (car entry)) (walk (cdr entry))))))
      (walk (imenu--make-index-alist t)))
    (vconcat (nreverse names))))

(defun cw-completions ()
  "What completion at point offers."
  (pcase (eglot-completion-at-point)
    (`(,start ,_ ,table . ,_)
     (vconcat (mapcar #'substring-no-properties
                      (all-completions (buffer-substring-no-properties start (point)) table))))))

(defun cw-server ()
  "The process id of the buffer's server, or nil."
  (let ((server (and (eglot-managed-p) (eglot-current-server))))
    (and server (jsonrpc-running-p server) (process-id (jsonrpc--process server)))))

(defun cw-messages ()
  "All that was said in the echo area."
  (with-current-buffer (messages-buffer) (buffer-substring-no-properties (point-min) (point-max))))

(defun cw-quit ()
  "End Emacs without a question."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer (set-buffer-modified-p nil)))
  (run-at-time 0 nil #'kill-emacs))

(provide 'driver)
;;; driver.el ends here
